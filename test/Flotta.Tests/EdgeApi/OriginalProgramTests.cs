using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.Tests.EdgeApi;

/// <summary>The original's device program, byte for byte as it was recorded, from its first word to the last; and our answers beside the original's.</summary>
public sealed class OriginalProgramTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    private const string Recorded = "peer-real-1";

    // What differs from one exchange to the next, or on purpose.
    private static readonly string[] Free = ["version", "message_id", "sent", "certificate"];

    [Theory]
    [InlineData("2.0")]
    [InlineData("1.1")]
    public async Task Hears_what_it_heard_from_the_original(string protocol)
    {
        var id = world.NewId("peer");
        var spoken = new Version(protocol);
        using var newcomer = world.AsNewcomer();
        await SameAsync(newcomer, spoken, "01", id);
        await SameAsync(newcomer, spoken, "02", id);
        await SameAsync(newcomer, spoken, "03", id);
        await world.Kube.CreateAsync(
            new EdgeDevice { Metadata = new V1ObjectMeta { Name = id, NamespaceProperty = "default", Labels = new Dictionary<string, string> { ["edgedeviceSignedRequest"] = "true" } } }, default);
        await Eventually.True(async () => await newcomer.EnrolAsync(id).Status() == 208);
        await SameAsync(newcomer, spoken, "04", id);
        await SameAsync(newcomer, spoken, "05", id);

        // The recording's key is not ours to have: the same device with another certificate of the same authority.
        var (certificate, serial) = world.CertificateFor(id);
        await world.RecordAsync(id, new CertificateStatus { Serial = serial, Confirmed = true });
        using var device = world.Client(certificate);
        await Eventually.True(async () => await device.GetAsync(id, "control").Status() == 200);
        await SameAsync(device, spoken, "06", id);
        await SameAsync(device, spoken, "07", id);
        await SameAsync(device, spoken, "08", id);
        await SameAsync(device, spoken, "09", id);
        await PlaceAsync(id);
        await Eventually.True(async () => (await device.GetAsync(id, "data").Json())["content"]!["workloads"] != null);
        await SameAsync(device, spoken, "10", id);
        using (var nothing = await SendAsync(device, spoken, "11", id))
            nothing.StatusCode.ShouldBe(HttpStatusCode.OK); // where the original has 500 (decision 10)

        await world.Kube.DeleteAsync<EdgeDevice>(new ObjectKey("default", id), default);
        await Eventually.True(async () => await device.GetAsync(id, "data").Status() == 404);
        await SameAsync(device, spoken, "12", id);
        await SameAsync(device, spoken, "13", id);
        await SameAsync(device, spoken, "14", id);
    }

    [Fact]
    public async Task May_send_its_body_in_pieces()
    {
        var (id, client) = await world.DeviceAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/flotta-management/v1/data/{id}/out")
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(Wire.Captures.Body("08-heartbeat-first-full-hardware-200.json", "request")),
        };
        request.Headers.TransferEncodingChunked = true;
        request.Headers.ExpectContinue = true;
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        using var response = await client.Http.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (response.Headers.ConnectionClose ?? false).ShouldBeFalse();
        client.Dispose();
    }

    [Fact]
    public async Task A_body_of_white_space_is_none()
    {
        var (id, client) = await world.DeviceAsync();
        (await client.PostAsync(id, "data", " \r\n"u8.ToArray()).Json(422))["code"]!.GetValue<int>().ShouldBe(602);
        client.Dispose();
    }

    private async Task SameAsync(EdgeClient client, Version protocol, string number, string id)
    {
        var expected = Exchange(number)["response"]!;
        using var response = await SendAsync(client, protocol, number, id);
        var body = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(expected["status"]!.GetValue<int>(), number + ": " + body);
        var headers = response.Content.Headers.Concat(response.Headers).Select(header => header.Key).Order(StringComparer.Ordinal);
        // An entity tag is ours, and means nothing to whoever does not know it. A content type on an answer without content means nothing at all.
        headers.Except(["ETag"]).Except(body.Length == 0 ? ["Content-Type"] : [])
            .ShouldBe(expected["headers"]!.AsObject().Select(header => header.Key).Except(body.Length == 0 ? ["Content-Type"] : []).Order(StringComparer.Ordinal), number);
        var recorded = expected["body_raw"]!.GetValue<string>();
        body.EndsWith('\n').ShouldBe(recorded.EndsWith('\n'), number);
        if (recorded.Length > 0)
            Comparable(JsonNode.Parse(body)).ShouldBe(Comparable(JsonNode.Parse(recorded.Replace(Recorded, id, StringComparison.Ordinal))), number);
    }

    private static async Task<HttpResponseMessage> SendAsync(EdgeClient client, Version protocol, string number, string id)
    {
        var recorded = Exchange(number)["request"]!;
        using var request = new HttpRequestMessage(new HttpMethod(recorded["method"]!.GetValue<string>()), recorded["path"]!.GetValue<string>().Replace(Recorded, id, StringComparison.Ordinal))
        {
            Version = protocol,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        var body = recorded["body_raw"]!.GetValue<string>().Replace(Recorded, id, StringComparison.Ordinal);
        if (body.Length > 0)
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        foreach (var (name, values) in recorded["headers"]!.AsObject())
        {
            if (name == "Content-Length")
                continue;
            if (!request.Headers.TryAddWithoutValidation(name, values![0]!.GetValue<string>()))
                request.Content?.Headers.TryAddWithoutValidation(name, values[0]!.GetValue<string>());
        }

        return await client.Http.SendAsync(request);
    }

    private static JsonNode Exchange(string number) => JsonNode.Parse(File.ReadAllText(
        Directory.GetFiles(Path.Combine(Repository.Root, "test", "Flotta.Tests", "Wire", "Golden"), number + "-*.json").Single()))!;

    private static string Comparable(JsonNode? node) => (Wire.Captures.Normal(Masked(node))?.ToJsonString() ?? "").Replace("null", "", StringComparison.Ordinal);

    private static JsonNode? Masked(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key, Free.Contains(pair.Key) ? "any" : Masked(pair.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Masked)]),
        _ => node?.DeepClone(),
    };

    // What the recording's server was given by its administrator.
    private async Task PlaceAsync(string id)
    {
        const string pod = """
            {"containers":[{"name":"web","image":"localhost/bb:1","imagePullPolicy":"Never","command":["/bin/httpd","-f","-p","8080"],
             "env":[{"name":"FROM_SECRET","valueFrom":{"secretKeyRef":{"name":"demo-secret","key":"k"}}}],
             "ports":[{"containerPort":8080,"hostPort":18080}]}]}
            """;
        await world.Kube.MergePatchAsync<EdgeDevice>(
            new ObjectKey("default", id), JsonNode.Parse("""{"spec":{"heartbeat":{"periodSeconds":10,"hardwareProfile":{"include":true,"scope":"full"}}}}""")!.AsObject(), default);
        await CreateOnceAsync(new V1Secret
        {
            ApiVersion = "v1",
            Kind = "Secret",
            Metadata = new V1ObjectMeta { Name = "demo-secret", NamespaceProperty = "default" },
            Data = new Dictionary<string, byte[]> { ["k"] = "v"u8.ToArray() },
        });
        await world.Kube.DeleteAsync<EdgeWorkload>(new ObjectKey("default", "web"), default);
        await world.Kube.CreateAsync(
            new EdgeWorkload
            {
                Metadata = new V1ObjectMeta { Name = "web", NamespaceProperty = "default" },
                Spec = new EdgeWorkloadSpec { Type = "pod", Device = id, Pod = new WorkloadPod { Spec = PodSpec.Parse(pod) } },
            },
            default);
    }

    private async Task CreateOnceAsync(V1Secret secret)
    {
        try
        {
            await world.Kube.CreateAsync(secret, default);
        }
        catch (KubeException there) when (there.IsAlreadyExists)
        {
            // From the other protocol's turn.
        }
    }
}
