"""Records and messages as bytes, made once for all who read the same."""
