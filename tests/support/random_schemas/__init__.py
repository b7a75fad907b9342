"""Random schemas of applications, judged by everybody; see `tests.support.schema_judges`."""
