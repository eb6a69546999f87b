Compose files are read with every error at once, each with its file, line, column and a hint, and compared with what runs to replace only what changed.
