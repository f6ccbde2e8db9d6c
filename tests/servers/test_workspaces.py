"""Keys of several workspaces at the scripted Messages API server. Each docstring quotes the fact."""

from __future__ import annotations

from typing import Any

import pytest

from servers.http_client import BATCHES, COUNT, HAIKU, MESSAGES, ask, get, params, refusal
from servers.processes import KEY, MessagesServer

OTHER, COLLEAGUE = "sk-ant-test-other-workspace", "sk-ant-test-same-workspace"


@pytest.fixture
def shared(messages: MessagesServer) -> MessagesServer:
    """The server, with a key of another workspace and a second one of the same."""
    messages.control(workspaces={OTHER: "wrkspc_other", COLLEAGUE: "wrkspc_test"}, batch_polls=0)
    return messages


def _batch(url: str, key: str = KEY) -> str:
    requests: list[dict[str, Any]] = [{"custom_id": "one", "params": params()}]
    name: str = ask(url, BATCHES, key, requests=requests).json()["id"]
    return name


@pytest.mark.parametrize("key", [KEY, OTHER, COLLEAGUE])
def test_every_answer_names_the_workspace_of_the_key(shared: MessagesServer, key: str) -> None:
    """The headers `anthropic-organization-id` and `anthropic-workspace-id`, on errors as well."""
    workspace = "wrkspc_other" if key == OTHER else "wrkspc_test"
    answers = [
        ask(shared.url, MESSAGES, key),
        ask(shared.url, MESSAGES, key, **params(max_tokens=0)),
        ask(shared.url, COUNT, key),
        ask(shared.url, BATCHES, key, requests=[]),
        get(shared.url, BATCHES, key),
        get(shared.url, f"{BATCHES}/msgbatch_unknown", key),
        get(shared.url, f"/v1/models/{HAIKU}", key),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 200, 400, 200, 404, 200]
    ids = {(one.headers["anthropic-workspace-id"], one.headers["anthropic-organization-id"]) for one in answers}
    assert ids == {(workspace, "org_test")}
    assert len({answer.headers["request-id"] for answer in answers}) == len(answers)


def test_a_key_that_nobody_knows_has_no_workspace(shared: MessagesServer) -> None:
    """401: "bad key"."""
    answer = ask(shared.url, MESSAGES, "sk-ant-test-nobody")
    assert refusal(answer)[:2] == (401, "authentication_error")
    assert "anthropic-workspace-id" not in answer.headers


def test_a_batch_does_not_exist_for_a_key_of_another_workspace(shared: MessagesServer) -> None:
    """Batches are "Scoped to the workspace": a key of another one "sees neither list nor batch", but a 404."""
    name = _batch(shared.url)
    get(shared.url, f"{BATCHES}/{name}")
    for answer in (
        get(shared.url, f"{BATCHES}/{name}", OTHER),
        get(shared.url, f"{BATCHES}/{name}/results", OTHER),
        ask(shared.url, f"{BATCHES}/{name}/cancel", OTHER),
    ):
        assert refusal(answer)[:2] == (404, "not_found_error")
    own = _batch(shared.url, OTHER)
    assert [one["id"] for one in get(shared.url, BATCHES, OTHER).json()["data"]] == [own]
    assert [one["id"] for one in get(shared.url, BATCHES).json()["data"]] == [name]
    assert get(shared.url, f"{BATCHES}/{name}").json()["processing_status"] == "ended"


def test_another_key_of_the_same_workspace_sees_the_batch(shared: MessagesServer) -> None:
    """Batches: "another key of the same workspace sees it"."""
    name = _batch(shared.url)
    assert [one["id"] for one in get(shared.url, BATCHES, COLLEAGUE).json()["data"]] == [name]
    assert get(shared.url, f"{BATCHES}/{name}", COLLEAGUE).json()["processing_status"] == "ended"
    assert get(shared.url, f"{BATCHES}/{name}/results", COLLEAGUE).status_code == 200


def test_keys_are_forgotten_at_a_reset(shared: MessagesServer) -> None:
    """So that no test leaves a key to the next one."""
    shared.reset()
    assert [ask(shared.url, MESSAGES, key).status_code for key in (KEY, OTHER)] == [200, 401]
