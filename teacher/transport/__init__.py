"""From one request to one answer: clients, HTTP, retries, rate limits, errors."""
