Networks of the native engine: a bridge for each, published ports that work from everywhere, and services that find each other by name.
