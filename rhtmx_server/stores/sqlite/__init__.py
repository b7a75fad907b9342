"""The default store: one SQLite file.

`store` is its face. Beneath it, each knowing only those further down: `lock` (who
may use the file, and whether it is there), `file` (how it is opened), `queries` and
`members` (what is read and written, in divided entities too), `retention` (what is
taken away), `rows` (rows and objects), `schema`
(tables and formats), `failures` (errors in words), `placement` (which thread
commits).
"""

from rhtmx_server.stores.sqlite.file import FileOptions
from rhtmx_server.stores.sqlite.moving import SqliteMover
from rhtmx_server.stores.sqlite.store import SqliteStore

__all__ = ["FileOptions", "SqliteMover", "SqliteStore"]
