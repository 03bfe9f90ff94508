"""The live service: events over HTTP, made durable before they are answered, watched as they come."""
