"""An application at a socket of this machine: listening, limits of connections, TLS, how it says no."""
