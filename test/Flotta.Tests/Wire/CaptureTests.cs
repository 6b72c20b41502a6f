using System.Text;
using System.Text.Json.Nodes;
using Flotta.Wire;

namespace Flotta.Tests.Wire;

public sealed class CaptureTests
{
    public static TheoryData<string, string> Messages => new(
        from name in Captures.Names
        from side in new[] { "request", "response" }
        where Captures.Body(name, side).Length > 0
        select (name, side));

    [Theory]
    [MemberData(nameof(Messages))]
    public void What_the_originals_said_survives_reading_and_writing(string name, string side)
    {
        var original = Captures.Body(name, side);
        var written = name.StartsWith("05", StringComparison.Ordinal) && side == "response"
            ? WriteResponse(WireJson.Read(original, WireJson.Types.MessageResponse))
            : WriteMessage(WireJson.Read(original, WireJson.Types.Message));
        var expected = Captures.Normal(JsonNode.Parse(original)) ?? new JsonObject();
        Captures.Normal(JsonNode.Parse(written))!.ToJsonString().ShouldBe(expected.ToJsonString());
    }

    [Fact]
    public void A_configuration_with_workload_and_secret_is_understood()
    {
        var message = WireJson.Read(Captures.Body("10-get-config-workload-and-secret-200.json", "response"), WireJson.Types.Message);
        var configuration = WireJson.ReadContent(message.Content, WireJson.Types.DeviceConfigurationMessage);
        configuration.Version.ShouldBe("535");
        configuration.Configuration!.Heartbeat!.HardwareProfile!.Scope.ShouldBe(HardwareScopes.Full);
        configuration.Configuration.Metrics!.Receiver!.RequestNumSamples.ShouldBe(30000);
        configuration.Workloads.ShouldHaveSingleItem().Specification.ShouldNotBeNull().ShouldContain("localhost/bb:1");
        configuration.Secrets.ShouldHaveSingleItem().Data.ShouldBe("{\"k\":\"dg==\"}");
    }

    [Fact]
    public void A_configuration_that_uses_every_field_survives_reading_and_writing()
    {
        var original = File.ReadAllText(Path.Combine(Repository.Root, "test", "Flotta.Tests", "Wire", "every-field.json"));
        var read = WireJson.Read(Encoding.UTF8.GetBytes(original), WireJson.Types.DeviceConfigurationMessage);
        var written = WireJson.Write(read, WireJson.Types.DeviceConfigurationMessage);
        Captures.Normal(JsonNode.Parse(written))!.ToJsonString().ShouldBe(Captures.Normal(JsonNode.Parse(original))!.ToJsonString());
    }

    private static byte[] WriteMessage(Message message) =>
        WireJson.Write(message.Content is null ? message : message with { Content = Typed(message) }, WireJson.Types.Message);

    private static byte[] WriteResponse(MessageResponse response) => WireJson.Write(
        response with
        {
            Content = WireJson.ToElement(WireJson.ReadContent(response.Content, WireJson.Types.RegistrationResponse), WireJson.Types.RegistrationResponse),
        },
        WireJson.Types.MessageResponse);

    private static System.Text.Json.JsonElement Typed(Message message) => (message.Type, message.Directive) switch
    {
        (MessageTypes.Command, _) => Again(message, WireJson.Types.Command),
        (_, Directives.Enrolment) => Again(message, WireJson.Types.EnrolmentInfo),
        (_, Directives.Registration) => Again(message, WireJson.Types.RegistrationInfo),
        (_, Directives.Heartbeat) => Again(message, WireJson.Types.Heartbeat),
        (_, Directives.Device) => Again(message, WireJson.Types.DeviceConfigurationMessage),
        _ => throw new InvalidOperationException($"No capture has had a {message.Directive}."),
    };

    private static System.Text.Json.JsonElement Again<T>(Message message, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class, new() => WireJson.ToElement(WireJson.ReadContent(message.Content, type), type);
}
