"""The local page of `review`: begin with `server`, which owns the port and the two threads.

`app` judges requests and answers them, `connections` gives up on slow ones, `page` writes the document, which `report`
writes to a file as well. starlette and uvicorn are loaded by `server`, and only when there is something to serve.
"""

from seed_library.adapters.review.desk import Desk, Outcome
from seed_library.adapters.review.page import document
from seed_library.adapters.review.server import ReviewServer, listen

__all__ = ["Desk", "Outcome", "ReviewServer", "document", "listen"]
