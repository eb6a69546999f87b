The log viewer merges the lines of all services, survives a dropped connection with no line lost or doubled, and keeps up with 1,000 lines a second.
