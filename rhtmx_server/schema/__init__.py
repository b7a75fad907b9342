"""The application's schema on the server: what it declares, and the rules of its records and forms.

Which imports which: `declare` -> `records`, `forms` -> `engine` -> `engine_values`; `declare` ->
`merging`, `rights`; `records`, `forms` -> `deliverable`; `seen` -> `asyncapi`, for who knows
nothing of the application yet; `upcast_mutation` -> `upcast`, for writes of older versions.
"""
