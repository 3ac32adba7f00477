//! The sandbox and the containers of the integration tests and the demo
