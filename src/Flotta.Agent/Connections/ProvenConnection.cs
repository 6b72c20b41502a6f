using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Flotta.Agent.Files;
using Flotta.Yggdrasil.Credentials;

namespace Flotta.Agent.Connections;

/// <summary>A server and its authorities over which a heartbeat was taken: what a change that does not work is taken back to.</summary>
/// <param name="Roots">PEM; empty where the system's count.</param>
internal sealed record ProvenConnection(string Server, string PathPrefix, string Roots)
{
    public string Check() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Server}\n{PathPrefix}\n{Roots}")));
}

internal sealed record ProvenFile(string Sha256, ProvenConnection Connection);

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ProvenFile))]
internal sealed partial class ProvenJson : JsonSerializerContext;

/// <summary>connection.json. A damaged one is as good as none.</summary>
internal sealed class ProvenStore(DataDirectory folder)
{
    private string FilePath => folder["connection.json"];

    public ProvenConnection? Load()
    {
        try
        {
            if (!File.Exists(FilePath) || JsonSerializer.Deserialize(File.ReadAllBytes(FilePath), ProvenJson.Default.ProvenFile) is not { Connection: { Server: not null, PathPrefix: not null, Roots: not null } connection } file)
                return null;
            if (file.Sha256 != connection.Check())
                return null;
            _ = Roots.FromPem(connection.Roots);
            return connection;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or CredentialException)
        {
            return null;
        }
    }

    public void Save(ProvenConnection connection) =>
        DurableFile.Write(FilePath, JsonSerializer.SerializeToUtf8Bytes(new ProvenFile(connection.Check(), connection), ProvenJson.Default.ProvenFile));

    public void Remove() => DurableFile.Delete(FilePath);
}
