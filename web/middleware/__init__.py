"""The layers around every request, outermost first: request log, security headers, secure transport, CORS."""
