using System.Text.Json;
using System.Text.Json.Nodes;
using Flotta.Wire;

namespace Flotta.Tests.Wire;

/// <summary>
/// The documents under docs/protocol are what the code says. FLOTTA_WRITE_OPENAPI=1 rewrites them, but for what would break programs in the field: a path, an answer, a property that
/// is gone or of another type has to be taken out of the file by hand first.
/// </summary>
public sealed class OpenApiTests
{
    public static TheoryData<string> Documents => ["edge-api.json", "remote-backend.json"];

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task What_is_checked_in_is_what_the_code_says_and_nothing_that_was_promised_is_gone(string name)
    {
        var path = Path.Combine(Repository.Root, "docs", "protocol", name);
        var made = name == "edge-api.json" ? EdgeApi() : RemoteBackend();
        var text = made.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, TypeInfoResolver = new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver() }) + "\n";
        if (File.Exists(path))
            Gone(JsonNode.Parse(await File.ReadAllTextAsync(path)), made, "").ShouldBeEmpty();
        if (Environment.GetEnvironmentVariable("FLOTTA_WRITE_OPENAPI") is not null)
            await File.WriteAllTextAsync(path, text);
        (await File.ReadAllTextAsync(path)).ShouldBe(text, "The messages changed. Run the tests once with FLOTTA_WRITE_OPENAPI=1 and commit the result.");
    }

    [Fact]
    public void A_property_that_goes_or_changes_its_type_is_noticed_and_one_that_comes_is_not()
    {
        var before = JsonNode.Parse("""{"a":{"type":"string"},"b":[{"c":1}],"d":true}""");
        Gone(before, JsonNode.Parse("""{"a":{"type":"string","more":1},"b":[{"c":1}],"d":true,"e":2}"""), "").ShouldBeEmpty();
        Gone(before, JsonNode.Parse("""{"a":{"type":"integer"},"b":[{"c":1}],"d":true}"""), "").ShouldBe(["/a/type"]);
        Gone(before, JsonNode.Parse("""{"a":{"type":"string"},"b":[{}],"d":true}"""), "").ShouldBe(["/b/0/c"]);
        Gone(before, JsonNode.Parse("""{"b":[{"c":1}],"d":true}"""), "").ShouldBe(["/a"]);
    }

    private static IEnumerable<string> Gone(JsonNode? before, JsonNode? after, string at) => (before, after) switch
    {
        (JsonObject was, JsonObject now) => was.SelectMany(pair => now.TryGetPropertyValue(pair.Key, out var value)
            ? pair.Key is "description" or "summary" ? [] : Gone(pair.Value, value, $"{at}/{pair.Key}")
            : [$"{at}/{pair.Key}"]),
        (JsonArray was, JsonArray now) => was.SelectMany((item, index) => index < now.Count ? Gone(item, now[index], $"{at}/{index}") : [$"{at}/{index}"]),
        _ => JsonNode.DeepEquals(before, after) ? [] : [at],
    };

    private static JsonObject EdgeApi()
    {
        var document = new OpenApiDocument(
            "Flotta Edge API",
            "/api/flotta-management/v1",
            "What devices ask. TLS 1.3 with a client certificate; the device of the path is the certificate's, but for enrolment and registration over the bootstrap certificate. "
            + "Errors have no body or an ErrorBody. 429 and 503 come with Retry-After.");
        (int, string, JsonNode?) unauthorized = (401, "the certificate does not count (here)", null), foreign = (403, "another device's path", null);
        document.Operation(
            "/control/{device_id}/in", "get", "GetControlMessageForDevice", "Whether to disconnect.", null,
            (200, "Nothing to do (empty), or a command.", document.Of<Message>()), unauthorized, foreign);
        document.Operation(
            "/data/{device_id}/in", "get", "GetDataMessageForDevice",
            "The whole configuration: a message with directive device, whose content is a DeviceConfigurationMessage. With If-None-Match 304, with Prefer: wait=N after N seconds without news; with Prefer: commands too, a command instead, which has no ETag.", null,
            (200, "The configuration.", document.Of<Message>()), (304, "The same as the entity tag's.", null), unauthorized, foreign, (404, "There is no such device.", null),
            (500, "Something in it is missing, and the sender cannot be told item by item.", null));
        document.Operation(
            "/control/{device_id}/out", "post", "PostControlMessageForDevice", "Read and forgotten.", document.Of<Message>(),
            (200, "Heard.", null), (400, "No message.", document.Of<ErrorBody>()), unauthorized, foreign, (422, "An empty body, or a type that is none.", document.Of<ErrorBody>()));
        document.Operation(
            "/data/{device_id}/out", "post", "PostDataMessageForDevice",
            "By its directive: enrolment (content EnrolmentInfo), registration (RegistrationInfo), heartbeat (Heartbeat), ansible (none). With Prefer: wait=N an enrolment is answered when the device has been let in, or after N seconds.", document.Of<Message>(),
            (200, "Done. Registration answers a RegistrationResponse as content, ansible a text that is a list of PlaybookTask.", document.Of<MessageResponse>()), (208, "Enrolled already.", null),
            (400, "Not understood.", document.Of<ErrorBody>()), unauthorized, foreign, (404, "There is no such device (yet).", null), (413, "Too large.", null),
            (422, "An empty body, or a type that is none.", document.Of<ErrorBody>()), (429, "Too often.", null), (503, "Too much is waiting.", null));
        document.Operation(
            "/logs/{device_id}/{stream}", "post", "PostLogs",
            "Ours. The lines that the command logs asked for, each a LogRecord on a line of its own. Answered when nobody reads any more.", document.Of<LogRecord>(),
            (200, "Nobody reads any more.", null), unauthorized, foreign, (404, "Nobody waits for this.", document.Of<ErrorBody>()), (409, "It has come already.", document.Of<ErrorBody>()));
        foreach (var content in new Func<JsonNode>[]
                 {
                     document.Of<Command>, document.Of<ConnectionStatus>, document.Of<EnrolmentInfo>, document.Of<RegistrationInfo>, document.Of<RegistrationResponse>, document.Of<Heartbeat>,
                     document.Of<DeviceConfigurationMessage>, document.Of<IReadOnlyList<PlaybookTask>>,
                 })
            content();
        return document.Finish();
    }

    private static JsonObject RemoteBackend()
    {
        var document = new OpenApiDocument(
            "Flotta Edge Configuration API",
            "/api/flotta-backend/v1",
            "What the Edge API asks a backend of your own when BACKEND is remote. Anything but the answers named here is an error, and 500 to the device (400 for an enrolment).");
        const string device = "/namespaces/{namespace}/devices/{device_id}";
        document.Operation(
            device + "/configuration", "get", "GetDeviceConfiguration", "The device's whole configuration.", null,
            (200, "It.", new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["message"] = new JsonObject { ["type"] = "string" }, ["device-configuration"] = document.Of<DeviceConfigurationMessage>() } }));
        document.Operation(device + "/enrolment", "post", "EnrolDevice", "A device asks to be let in.", document.Of<EnrolmentInfo>(), (200, "It is known already.", null), (201, "It has been noted.", null));
        document.Operation(
            device + "/registration", "get", "GetRegistrationStatus", "Whether the device is let in, and where it lives.", null,
            (200, "It.", new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject
                {
                    ["status"] = new JsonObject { ["type"] = "string", ["enum"] = new JsonArray("registered", "unregistered", "unknown") },
                    ["namespace"] = new JsonObject { ["type"] = "string" },
                    ["message"] = new JsonObject { ["type"] = "string" },
                },
            }));
        document.Operation(device + "/registration", "put", "RegisterDevice", "The device has been given a certificate.", document.Of<RegistrationInfo>(), (200, "Noted.", null));
        document.Operation(device + "/heartbeat", "put", "UpdateHeartbeat", "The device reports. Tried up to four times.", document.Of<Heartbeat>(), (200, "Noted.", null));
        document.Operation(device + "/playbookexecutions", "get", "GetPlaybookExecutions", "What the device should run.", null, (200, "It.", document.Of<IReadOnlyList<PlaybookTask>>()));
        return document.Finish();
    }
}
