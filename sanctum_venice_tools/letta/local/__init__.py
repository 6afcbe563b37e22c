"""What every program of Letta's needs that we install and start on this machine: the server, and Letta Code."""
