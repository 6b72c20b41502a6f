using System.IO.Compression;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Verbs;

namespace Flotta.Tests.ApiServer.Verbs;

/// <summary>Answers as YAML and gzip.</summary>
[Collection("api server")]
public sealed class FormTests(RunningApiServer server)
{
    [Fact]
    public async Task Objects_lists_and_failures_are_answered_in_yaml()
    {
        var space = await server.NamespaceAsync();
        var made = await TextAsync(HttpMethod.Post, $"/api/v1/namespaces/{space}/configmaps", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: \"1\"\n  t: |\n    two\n    lines\n");
        made.ShouldStartWith("application/yaml apiVersion: v1\ndata:\n  k: \"1\"\n  t: |\n    two\n    lines\nkind: ConfigMap\n");
        (await TextAsync(HttpMethod.Get, $"/api/v1/namespaces/{space}/configmaps")).ShouldContain("items:\n- apiVersion: v1\n");
        (await TextAsync(HttpMethod.Get, $"/api/v1/namespaces/{space}/configmaps/b")).ShouldContain("message: configmaps \"b\" not found\n");
        (await TextAsync(HttpMethod.Get, "/apis")).ShouldContain("kind: APIGroupList\n");
        (await TextAsync(HttpMethod.Get, $"/api/v1/namespaces/{space}/configmaps?watch=true")).ShouldContain("code: 406");
    }

    [Fact]
    public void Yaml_written_is_read_as_the_same_document() => NodeGen.Document.Sample(document =>
    {
        var text = YamlText.Of(Encoding.UTF8.GetBytes(document.ToJsonString()));
        var read = ObjectBody.ParseYaml(text);
        read.Problem.ShouldBeNull(Encoding.UTF8.GetString(text));
        JsonKinds.Same(read.Root, document).ShouldBeTrue(Encoding.UTF8.GetString(text));
    });

    [Theory]
    [InlineData("")]
    [InlineData("?limit=1")]
    [InlineData("/big")]
    public async Task What_is_large_is_packed_for_those_who_can_unpack_it(string rest)
    {
        var space = await server.NamespaceAsync();
        await server.PostAsync($"/api/v1/namespaces/{space}/configmaps", $$$"""{"metadata":{"name":"big"},"data":{"x":"{{{new string('x', 200_000)}}}"}}""");
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Server.Address, $"/api/v1/namespaces/{space}/configmaps{rest}"));
        request.Headers.Add("Accept-Encoding", "gzip");
        using var client = new HttpClient(Plain(), disposeHandler: true);
        using var response = await client.SendAsync(request);
        response.Content.Headers.ContentEncoding.ShouldBe(["gzip"]);
        await using var unpacked = new GZipStream(await response.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        (await JsonNode.ParseAsync(unpacked))!.ToJsonString().ShouldContain("xxxx");
    }

    // The official client's handler unpacks unasked.
    private SocketsHttpHandler Plain()
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        handler.SslOptions.ClientCertificates = [X509Certificate2.CreateFromPem(Decoded(server.Configuration.ClientCertificateData), Decoded(server.Configuration.ClientCertificateKeyData))];
        return handler;
    }

    private static string Decoded(string? base64) => Encoding.UTF8.GetString(Convert.FromBase64String(base64!));

    private async Task<string> TextAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(server.Server.Address, path));
        request.Headers.TryAddWithoutValidation("Accept", "application/yaml");
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/yaml");
        using var response = await server.Http.SendAsync(request);
        return $"{response.Content.Headers.ContentType} {await response.Content.ReadAsStringAsync()}";
    }
}
