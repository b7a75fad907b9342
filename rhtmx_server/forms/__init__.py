"""Forms: from what was entered to what is wrong with it. Pure where they decide."""
