using Flotta.Wire;

namespace Flotta.Fleet.Devices;

/// <summary>
/// A message serialized once and sent many times: only its id and its time are written anew, in place. Not for two senders at the same time.
/// </summary>
internal sealed class MessageBody
{
    private readonly byte[] _bytes;
    private readonly int _id;
    private readonly int _sent;

    private MessageBody(byte[] bytes)
    {
        _bytes = bytes;
        _id = Place(bytes, "\"message_id\":\""u8);
        _sent = Place(bytes, "\"sent\":\""u8);
    }

    public static MessageBody Of(Message message) => new(WireJson.Write(message, WireJson.Types.Message));

    public ReadOnlyMemory<byte> At(DateTimeOffset now)
    {
        Guid.NewGuid().TryFormat(_bytes.AsSpan(_id), out _, "D");
        now.UtcDateTime.TryFormat(_bytes.AsSpan(_sent), out _, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
        return _bytes;
    }

    private static int Place(byte[] bytes, ReadOnlySpan<byte> key) =>
        bytes.AsSpan().IndexOf(key) is var found and >= 0 ? found + key.Length : throw new ArgumentException("The message has no id or no time.", nameof(bytes));
}
