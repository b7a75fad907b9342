"""Values that both ends speak of: what was changed, what came of a write, what was entered."""
