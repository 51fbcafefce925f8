"""The webhook server: deliveries of a GitHub App become the same work that the actions do."""
