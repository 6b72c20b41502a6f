using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flotta.Wire;

/// <summary>Source-generated JSON of every message. Use it through <see cref="WireJson"/>, which adds what attributes cannot say.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(Message))]
[JsonSerializable(typeof(MessageResponse))]
[JsonSerializable(typeof(Command))]
[JsonSerializable(typeof(ConnectionStatus))]
[JsonSerializable(typeof(EnrolmentInfo))]
[JsonSerializable(typeof(RegistrationInfo))]
[JsonSerializable(typeof(RegistrationResponse))]
[JsonSerializable(typeof(Heartbeat))]
[JsonSerializable(typeof(HardwareInfo))]
[JsonSerializable(typeof(DeviceConfigurationMessage))]
[JsonSerializable(typeof(IReadOnlyList<PlaybookTask>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>), TypeInfoPropertyName = "StringMap")]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(LogRecord))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(JsonElement))]
public sealed partial class WireContext : JsonSerializerContext;
