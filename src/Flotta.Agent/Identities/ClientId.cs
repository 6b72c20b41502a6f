using System.Text;
using Flotta.Agent.Files;
using Flotta.Yggdrasil.Credentials;

namespace Flotta.Agent.Identities;

/// <summary>The name of this device, in yggdrasil's order: as configured, as before, as the certificate says, or made up once and kept.</summary>
internal static class ClientId
{
    // Shared by a whole fleet, so it names nobody.
    private const string Bootstrap = "register";

    public static string Resolve(string? configured, DataDirectory folder, Func<Identity?> certificate)
    {
        var file = folder["client-id"];
        if (configured is not null)
            return Valid(configured, "client-id");
        if (File.Exists(file) && File.ReadAllText(file).Trim() is { Length: > 0 } kept)
            return Valid(kept, file);
        var made = certificate() is { } identity && identity.CommonName is { Length: > 0 } name && !string.Equals(name, Bootstrap, StringComparison.OrdinalIgnoreCase)
            ? name
            : $"{Host()}-{Guid.NewGuid()}";
        DurableFile.Write(file, Encoding.UTF8.GetBytes(Valid(made, "the certificate's common name") + "\n"));
        return made;
    }

    // It becomes the name of a Kubernetes object.
    public static bool IsValid(string id) =>
        id.Length is > 0 and <= 253
            && id.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.')
            && char.IsAsciiLetterOrDigit(id[0])
            && char.IsAsciiLetterOrDigit(id[^1])
            && !id.Contains("..", StringComparison.Ordinal);

    private static string Valid(string id, string origin) =>
        IsValid(id) ? id : throw new AgentStartException($"The device name from {origin} must be lower-case letters, digits, '-' and '.', as Kubernetes wants it.");

    private static string Host()
    {
        var host = new string([.. Environment.MachineName.ToLowerInvariant().Where(c => char.IsAsciiLetterOrDigit(c) || c == '-')]).Trim('-');
        return host.Length == 0 ? "device" : host[..Math.Min(host.Length, 63)].Trim('-');
    }
}
