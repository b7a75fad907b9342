"""The rules: what becomes of a push, of a field push, and of a form. Pure where they decide."""
