"""The compiler of an application's schema: protobuf in, typed Python and TypeScript out.

Which imports which: `command` (with `sources`, `buf` and `files` what touches the disk) and
`plugin` -> `generate` -> `read` (what a schema is), `lock` and `breaking` (what it was), and the
emitters -> `rules` and `cel` (what a rule means) -> `model`, `problems`.
"""
