namespace Flotta.Yggdrasil.Transport;

/// <summary>Takes what arrives on data/in.</summary>
public interface IDataReceiver
{
    /// <summary>The entity tag of what it holds, if it came with one.</summary>
    string? Tag { get; }

    Task<Receipt> ReceiveAsync(ReadOnlyMemory<byte> body, string? tag, CancellationToken cancellationToken);
}

public enum Receipt
{
    Taken,

    /// <summary>It will never do: the server is asked again only for something else.</summary>
    Refused,

    /// <summary>It could not be kept (a full disk): the same is worth asking for again.</summary>
    Failed,
}
