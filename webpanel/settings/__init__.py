"""Settings: ``production`` for every real panel, ``test`` for the tests; both extend ``base``."""
