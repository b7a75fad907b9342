"""Forms in the words of a web framework. Each module needs its framework: nothing loads it here."""
