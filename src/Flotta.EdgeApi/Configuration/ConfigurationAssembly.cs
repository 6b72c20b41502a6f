using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using k8s.Models;

namespace Flotta.EdgeApi.Configuration;

/// <param name="Message">Complete, with its version.</param>
/// <param name="Problems">What could not be assembled: whoever cannot be told item by item gets nothing.</param>
internal sealed record AssembledConfiguration(Wire.DeviceConfigurationMessage Message, IReadOnlyList<string> Problems)
{
    public string Version => Message.Version!;

    /// <summary>The message as JSON.</summary>
    public required byte[] Content { get; init; }
}

/// <summary>A device's whole configuration, from what is true now. Pure: equal ingredients give equal bytes, and equal bytes the same version.</summary>
internal static class ConfigurationAssembly
{
    private static readonly JsonWriterOptions SecretText = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static AssembledConfiguration Assemble(Ingredients from)
    {
        var problems = new List<string>();
        var secrets = new SortedDictionary<string, V1Secret>(StringComparer.Ordinal);
        var workloads = new List<Wire.Workload>();
        foreach (var workload in from.Workloads.OrderBy(workload => workload.Metadata.Name, StringComparer.Ordinal))
        {
            try
            {
                workloads.Add(WorkloadAssembly.Of(workload, from));
                foreach (var secret in WorkloadAssembly.SecretsOf(workload.Spec.Pod!.Spec, from))
                    secrets[secret.Metadata.Name] = secret;
            }
            catch (MissingException missing)
            {
                problems.Add($"workload {workload.Metadata.Name}: {missing.Message}");
                workloads.Add(new Wire.Workload { Name = workload.Metadata.Name, Namespace = workload.Metadata.NamespaceProperty, Hold = missing.Message });
            }
        }

        var message = new Wire.DeviceConfigurationMessage
        {
            DeviceId = from.Device.Metadata.Name,
            Configuration = DeviceAssembly.Of(from, problems),
            Workloads = workloads.Count == 0 ? null : workloads,
            Secrets = secrets.Count == 0 ? null : [.. secrets.Select(entry => new Wire.Secret(TextOf(entry.Value), entry.Key))],
        };
        var content = Wire.WireJson.Write(message, Wire.WireJson.Types.DeviceConfigurationMessage);
        var version = Convert.ToHexStringLower(SHA256.HashData(content))[..32];
        return new(message with { Version = version }, problems) { Content = [.. content.AsSpan(0, content.Length - 1), .. ",\"version\":\""u8, .. System.Text.Encoding.ASCII.GetBytes(version), .. "\"}"u8] };
    }

    private static string TextOf(V1Secret secret)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, SecretText))
        {
            writer.WriteStartObject();
            foreach (var (key, value) in (secret.Data ?? new Dictionary<string, byte[]>(StringComparer.Ordinal)).OrderBy(entry => entry.Key, StringComparer.Ordinal))
                writer.WriteBase64String(key, value);
            writer.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(bytes.ToArray());
    }
}
