"""The ASGI application: routes, middleware, GraphQL over HTTP and websocket."""
