//! What the NFS client has counted.

/// The client as a whole, and each mounted share.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NfsClient {
    /// Nothing while the client has not been started.
    pub rpc: Option<RpcTotals>,
    pub mounts: Vec<NfsMount>,
}

/// Calls to all servers since the client was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RpcTotals {
    pub calls: u64,
    pub retransmissions: u64,
    pub authentication_refreshes: u64,
}

/// A share, since it was mounted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NfsMount {
    pub mount_point: String,
    /// Over the network, without what the cache answered.
    pub read_bytes: Option<u64>,
    pub written_bytes: Option<u64>,
    /// In the order of [`NfsMount::OPERATIONS`].
    pub operations: [NfsOperations; 3],
}

impl NfsMount {
    /// The words of the label `operation`; all that is neither reading nor writing is the third.
    pub const OPERATIONS: [&str; 3] = ["read", "write", "other"];
}

/// Calls of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NfsOperations {
    pub count: u64,
    /// With those that were sent again.
    pub transmissions: u64,
    /// Waits for an answer that were given up, each after several transmissions.
    pub timeouts: u64,
    /// From the sending to the answer, summed.
    pub round_trip_seconds: f64,
    /// From the call to its end, summed.
    pub execution_seconds: f64,
}
