"""The `footfall` command. It talks to the services over HTTP and imports none of them."""
