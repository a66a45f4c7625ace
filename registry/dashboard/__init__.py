"""What people look at: the statistics over HTTP, as pages and in the manner of PxWebApi."""
