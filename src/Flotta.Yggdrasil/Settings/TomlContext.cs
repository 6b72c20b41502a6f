using Tomlyn.Model;
using Tomlyn.Serialization;

namespace Flotta.Yggdrasil.Settings;

[TomlSerializable(typeof(TomlTable))]
internal sealed partial class TomlContext : TomlSerializerContext;
