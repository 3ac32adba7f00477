//! The NSS module that resolves names of containers: libnss_mymachines.so.2
