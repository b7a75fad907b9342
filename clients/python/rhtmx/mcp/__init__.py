"""What an application offers to AI assistants, by the Model Context Protocol: `rhtmx mcp`.

`document`, `plain_schema`, `tools`, `arguments`, `listing`, `secrets` and `answers` decide, and are
pure. `application` and `caller` ask a server; `schema_source` reads its schema; `stdio` speaks the
protocol, and alone knows the package `mcp`.
"""
