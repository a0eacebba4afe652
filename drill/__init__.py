"""The drill: the whole failover procedure rehearsed on two real regions, under load, and measured."""
