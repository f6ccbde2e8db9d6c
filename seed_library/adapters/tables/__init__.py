"""Files that hold a table, whoever wrote them: bytes in, records out, and back.

Open `reading` first: it tells the formats apart. `text` knows encodings and lines, `csv_table` and `json_table` one
format each, both ways. What the records mean is no business of this room: see `core.records`.
"""

from seed_library.adapters.tables.csv_table import BYTE_ORDER_MARK, csv_lines, unshielded
from seed_library.adapters.tables.json_table import json_lines
from seed_library.adapters.tables.reading import FORMATS, open_table, read_exact_lines

__all__ = ["BYTE_ORDER_MARK", "FORMATS", "csv_lines", "json_lines", "open_table", "read_exact_lines", "unshielded"]
