"""Ready-made answers to "who is this?", for `App(authenticate=…)`.

Example:
    >>> from rhtmx_server.authenticators import first_of, hash_token, jwt_tokens, static_tokens
    >>> authenticate = first_of(
    ...     static_tokens({hash_token("an-example-of-a-long-token"): "billing"}),
    ...     jwt_tokens(
    ...         secret="a secret of more than thirty-two bytes",
    ...         issuer="https://login.example.com",
    ...         audience="tasks",
    ...     ),
    ... )
"""

try:
    from rhtmx_server.authenticators.first_of import first_of
    from rhtmx_server.authenticators.jwt import jwt_tokens
    from rhtmx_server.authenticators.session_cookies import session_cookies
    from rhtmx_server.authenticators.static_tokens import hash_token, new_token, static_tokens
except ModuleNotFoundError as missing:
    if (missing.name or "rhtmx").startswith("rhtmx"):
        raise
    raise ImportError(
        f"the authenticators need {missing.name!r}, which is not installed: "
        "pip install 'rhtmx[server,auth]', or '.[server,auth]' in a checkout"
    ) from missing

__all__ = [
    "first_of",
    "hash_token",
    "jwt_tokens",
    "new_token",
    "session_cookies",
    "static_tokens",
]
