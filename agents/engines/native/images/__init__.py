"""Images: references, configurations, layers, archives and the store that holds them."""
