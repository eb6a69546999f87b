"""The apps of the panel; see .importlinter for who may import whom."""
