//! The stub on 127.0.0.53, the proxy on 127.0.0.54, and what DNSStubListenerExtra= adds.
