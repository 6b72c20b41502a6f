namespace Flotta.Yggdrasil.Grpc;

/// <summary>gRPC's words for how a call ended, those that we use.</summary>
public enum GrpcStatus
{
    Ok = 0,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

/// <summary>A call that did not succeed.</summary>
public sealed class GrpcException(GrpcStatus status, string message, Exception? inner = null) : Exception(message, inner)
{
    public GrpcStatus Status { get; } = status;
}
