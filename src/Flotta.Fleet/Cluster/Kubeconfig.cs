using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using YamlDotNet.RepresentationModel;

namespace Flotta.Fleet.Cluster;

/// <summary>A kubeconfig that cannot be used; the message is one sentence for a person.</summary>
internal sealed class KubeconfigException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Where a cluster is and who we are there: client certificate or token, in the file or beside it.</summary>
internal sealed record Kubeconfig(Uri Server, string? CaPem, string? CertificatePem, string? KeyPem, string? Token)
{
    public static Kubeconfig Read(string path)
    {
        try
        {
            var yaml = new YamlStream();
            using (var reader = File.OpenText(path))
                yaml.Load(reader);
            return Read((YamlMappingNode)yaml.Documents[0].RootNode, Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException or YamlDotNet.Core.YamlException or InvalidCastException
            or KeyNotFoundException or ArgumentException or FormatException or InvalidOperationException)
        {
            throw new KubeconfigException($"The kubeconfig {path} cannot be used: {unusable.Message}", unusable);
        }
    }

    public SocketsHttpHandler Handler()
    {
        var tls = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };
        if (CaPem is not null)
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPem(CaPem);
            tls.CertificateChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, TrustMode = X509ChainTrustMode.CustomRootTrust };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }

        if (CertificatePem is not null && KeyPem is not null)
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(CertificatePem, KeyPem), null, offline: true);
        return new SocketsHttpHandler { SslOptions = tls, UseProxy = false };
    }

    // Holds a key: prints as where it leads.
    public override string ToString() => Server.ToString();

    private static Kubeconfig Read(YamlMappingNode root, string folder)
    {
        var context = Named(root, "contexts", Text(root, "current-context") ?? throw new InvalidOperationException("it has no current context."), "context");
        var cluster = Named(root, "clusters", Text(context, "cluster")!, "cluster");
        var user = Named(root, "users", Text(context, "user")!, "user");
        return new Kubeconfig(
            new Uri(Text(cluster, "server")!),
            Pem(cluster, "certificate-authority", folder),
            Pem(user, "client-certificate", folder),
            Pem(user, "client-key", folder),
            Text(user, "token"));
    }

    private static YamlMappingNode Named(YamlMappingNode root, string list, string name, string what) =>
        (YamlMappingNode)((YamlSequenceNode)root[list]).Cast<YamlMappingNode>().First(one => Text(one, "name") == name)[what];

    private static string? Text(YamlMappingNode node, string key) => node.Children.TryGetValue(key, out var value) ? ((YamlScalarNode)value).Value : null;

    private static string? Pem(YamlMappingNode node, string key, string folder) =>
        Text(node, key + "-data") is { } data ? Encoding.ASCII.GetString(Convert.FromBase64String(data))
        : Text(node, key) is { } file ? File.ReadAllText(Path.Combine(folder, file))
        : null;
}
