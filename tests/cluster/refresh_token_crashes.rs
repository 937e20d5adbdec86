//! A stored refresh token survives SIGTERM, SIGKILL, an API server that is away, and a second operator.

mod kills;
mod outage;
mod shutdown;
mod two_operators;
