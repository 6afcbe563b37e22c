"""What programs of Letta's need that we install and start here: the server, and Letta Code."""
