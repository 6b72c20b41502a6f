namespace Flotta.ApiServer.Protobuf;

internal enum FieldType
{
    Text,
    Bytes,
    Flag,
    Number,
    Time,
    MicroTime,
    Message,
    TextMap,
    BytesMap,
}

/// <summary>A field of a message by its number: what it is called in JSON, and what it holds.</summary>
internal sealed record FieldShape(int Number, string Name, FieldType Type, bool Repeated = false, MessageShape? Message = null);

/// <summary>The fields of a message that are read; others are passed over.</summary>
internal sealed class MessageShape(params FieldShape[] fields)
{
    private readonly Dictionary<int, FieldShape> byNumber = fields.ToDictionary(field => field.Number);

    public FieldShape? Field(int number) => byNumber.GetValueOrDefault(number);
}
