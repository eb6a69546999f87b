"""Log viewing: from Redis Streams to the browser."""
