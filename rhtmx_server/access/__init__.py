"""Who speaks, and what they may see and do. Pure but for the functions of the app."""
