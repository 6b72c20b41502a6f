using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Flotta.EdgeApi.Certificates;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.Tests.EdgeApi;

/// <summary>What happens to one device from its first word to its last. Nobody but the test plays the Operator.</summary>
public sealed class JourneyTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    [Fact]
    public async Task From_the_first_word_to_the_last()
    {
        var id = world.NewId();
        using var newcomer = world.AsNewcomer();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var csr = EdgeClient.Csr(key, "whatever");

        // Asks, and again, and nothing is handed out.
        await newcomer.EnrolAsync(id, new JsonObject { ["features"] = new JsonObject { ["modelName"] = "m" }, ["target_namespace"] = "edge", ["certificate_request"] = csr }).Empty(200);
        var request = (await world.Kube.GetAsync<EdgeDeviceSignedRequest>(new ObjectKey("default", id), default)).ShouldNotBeNull();
        request.Spec.TargetNamespace.ShouldBe("edge");
        request.Spec.Approved.ShouldNotBe(true);
        request.Spec.Features!.ModelName.ShouldBe("m");
        request.Spec.KeyFingerprint.ShouldBe("SHA256:" + Convert.ToBase64String(SHA256.HashData(key.ExportSubjectPublicKeyInfo())).TrimEnd('='));
        await newcomer.EnrolAsync(id).Empty(200);
        await newcomer.RegisterAsync(id, key).Empty(404);

        // Approved: the Operator makes the device.
        await world.Kube.CreateAsync(
            new EdgeDevice { Metadata = new V1ObjectMeta { Name = id, NamespaceProperty = "edge", Labels = new Dictionary<string, string> { ["edgedeviceSignedRequest"] = "true", ["mine"] = "1" } } },
            default);
        await Eventually.True(async () => await newcomer.EnrolAsync(id, new JsonObject { ["target_namespace"] = "edge" }).Status() == 208);

        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await newcomer.RegisterAsync(id, other).Empty(403);
        var answer = await newcomer.RegisterAsync(id, key).Json();
        answer["directive"]!.GetValue<string>().ShouldBe("registration");
        answer["message_id"]!.GetValue<string>().ShouldBe("m-1");
        using var certificate = X509Certificate2.CreateFromPem(answer["content"]!["certificate"]!.GetValue<string>());
        certificate.Subject.ShouldBe($"O=flotta-operator, OU=edge, CN={id}");

        var device = (await world.FindAsync(id, "edge")).ShouldNotBeNull();
        device.Metadata.Labels.ShouldBe(new Dictionary<string, string> { ["mine"] = "1", ["device.hostname"] = "hostone" }, ignoreOrder: true);
        device.Status!.Certificate!.Serial.ShouldBe(certificate.SerialNumber, StringCompareShould.IgnoreCase);
        device.Status.Certificate.Confirmed.ShouldBe(false);
        device.Status.Hardware!.Hostname.ShouldBe("Host One");

        // The answer got lost: the same again.
        await newcomer.RegisterAsync(id, key).Json();
        answer = await newcomer.RegisterAsync(id, key).Json();
        using var used = X509Certificate2.CreateFromPem(answer["content"]!["certificate"]!.GetValue<string>()).CopyWithPrivateKey(key);

        using var client = world.Client(used);
        var configuration = await client.GetAsync(id, "data").Json();
        configuration["directive"]!.GetValue<string>().ShouldBe("device");
        var version = configuration["content"]!["version"]!.GetValue<string>();
        await Eventually.True(async () => (await world.FindAsync(id, "edge"))!.Status!.Certificate!.Confirmed == true);

        // Used: nobody else can ask like this any more.
        await newcomer.RegisterAsync(id, key).Empty(403);

        await client.BeatAsync(id, new JsonObject { ["status"] = "up", ["version"] = version }).Empty(200);
        device = (await world.FindAsync(id, "edge")).ShouldNotBeNull();
        device.Status!.Phase.ShouldBe("up");
        device.Status.LastSyncedResourceVersion.ShouldBe(version);
        device.Status.ConnectedTo.ShouldBe("test");
        device.Status.LastSeenTime.ShouldNotBeNull();
        device.Status.Conditions!.Select(condition => (condition.Type, condition.Status)).ShouldBe(
            [("Connected", "True"), ("UpToDate", "True"), ("WorkloadsReady", "True")], ignoreOrder: true);

        // Deleted.
        await world.Kube.DeleteAsync<EdgeDevice>(new ObjectKey("edge", id), default);
        await Eventually.True(async () => await client.GetAsync(id, "data").Status() == 404);
        await client.BeatAsync(id, new JsonObject { ["status"] = "up" }).Empty(404);
        var last = await client.GetAsync(id, "control").Json();
        last["type"]!.GetValue<string>().ShouldBe("command");
        last["content"]!["command"]!.GetValue<string>().ShouldBe("disconnect");
    }

    [Fact]
    public async Task A_renewal_needs_the_present_certificate_and_gives_another_one()
    {
        var (id, client) = await world.DeviceAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var answer = await client.RegisterAsync(id, key).Json();
        using var renewed = X509Certificate2.CreateFromPem(answer["content"]!["certificate"]!.GetValue<string>()).CopyWithPrivateKey(key);
        // Both count until the new one has been used.
        await client.GetAsync(id, "control").Empty(200);
        using var after = world.Client(renewed);
        await after.GetAsync(id, "control").Empty(200);
        await Eventually.True(async () => await client.GetAsync(id, "control").Status() == 401);
        await after.GetAsync(id, "control").Empty(200);
        client.Dispose();
    }

    [Fact]
    public async Task A_lost_renewal_can_be_repeated()
    {
        var (id, client) = await world.DeviceAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        for (var attempt = 0; attempt < 3; attempt++)
            await client.RegisterAsync(id, key).Json();
        await client.GetAsync(id, "control").Empty(200);
        client.Dispose();
    }

    [Fact]
    public async Task An_expired_certificate_registers_and_does_nothing_else()
    {
        var id = world.NewId();
        var (expired, serial) = world.CertificateFor(id, age: 40);
        await CreateRecordedAsync(id, serial);
        using var client = world.Client(expired);
        await Eventually.True(async () => await world.FindAsync(id) != null);
        await client.GetAsync(id, "data").Empty(401);
        await client.GetAsync(id, "control").Empty(401);
        await client.PostAsync(id, "control", "{}").Empty(401);
        await client.BeatAsync(id, []).Empty(401);
        await client.SendAsync(id, "ansible", null).Empty(401);
        await client.EnrolAsync(id).Empty(401);
        await client.PostAsync(id, "data", "not json").Empty(401);
        using var key = ECDsa.Create();
        await client.RegisterAsync(id, key).Json();
    }

    [Fact]
    public async Task Past_the_grace_an_expired_certificate_gets_nothing()
    {
        var id = world.NewId();
        var (expired, serial) = world.CertificateFor(id, age: 220);
        await CreateRecordedAsync(id, serial);
        using var client = world.Client(expired);
        using var key = ECDsa.Create();
        await client.RegisterAsync(id, key).Empty(401);
    }

    [Fact]
    public async Task Past_the_grace_the_device_goes_back_to_the_approval_queue()
    {
        var id = world.NewId();
        await CreateRecordedAsync(id, "a1", world.Time.GetUtcNow().AddDays(-190));
        await world.Kube.CreateAsync(
            new EdgeDeviceSignedRequest { Metadata = new V1ObjectMeta { Name = id, NamespaceProperty = "default" }, Spec = new EdgeDeviceSignedRequestSpec { TargetNamespace = "default", Approved = true } }, default);
        using var newcomer = world.AsNewcomer();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var wish = () => new JsonObject { ["certificate_request"] = EdgeClient.Csr(key, id) };
        var at = new ObjectKey("default", id);
        await Eventually.True(async () => await newcomer.EnrolAsync(id, wish()).Status() == 200 && (await world.Kube.GetAsync<EdgeDeviceSignedRequest>(at, default))!.Spec.Approved == false);
        await newcomer.RegisterAsync(id, key).Empty(403);
        await world.Kube.MergePatchAsync<EdgeDeviceSignedRequest>(at, new JsonObject { ["spec"] = new JsonObject { ["approved"] = true } }, default);
        await Eventually.True(async () => await newcomer.EnrolAsync(id, wish()).Status() == 208);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await newcomer.RegisterAsync(id, other).Empty(403);
        await newcomer.RegisterAsync(id, key).Json();
    }

    [Fact]
    public async Task Another_key_for_the_same_device_is_an_event_and_changes_nothing()
    {
        var id = world.NewId();
        using var newcomer = world.AsNewcomer();
        using var first = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var second = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await newcomer.EnrolAsync(id, new JsonObject { ["certificate_request"] = EdgeClient.Csr(first, id) }).Empty(200);
        var before = (await world.Kube.GetAsync<EdgeDeviceSignedRequest>(new ObjectKey("default", id), default))!;
        await Eventually.True(async () =>
        {
            await newcomer.EnrolAsync(id, new JsonObject { ["certificate_request"] = EdgeClient.Csr(second, id) }).Empty(200);
            return (await world.Kube.ListAsync<Corev1Event>("default", default)).Any(found => found.InvolvedObject.Name == id && found.Reason == "AnotherKey" && found.Type == "Warning");
        });
        (await world.Kube.GetAsync<EdgeDeviceSignedRequest>(new ObjectKey("default", id), default))!.Spec.KeyFingerprint.ShouldBe(before.Spec.KeyFingerprint);
    }

    [Fact]
    public async Task An_expired_certificate_that_is_not_the_last_one_gets_nothing()
    {
        var id = world.NewId();
        var (expired, _) = world.CertificateFor(id, age: 40);
        await CreateRecordedAsync(id, "00");
        using var client = world.Client(expired);
        using var key = ECDsa.Create();
        await client.RegisterAsync(id, key).Empty(401);
    }

    [Fact]
    public async Task Revoking_counts_from_the_next_request_on_and_ends_held_ones()
    {
        var (id, client) = await world.DeviceAsync();
        var first = await client.GetAsync(id, "data").Json();
        var held = client.GetAsync(id, "data", request =>
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", $"\"{first["content"]!["version"]!.GetValue<string>()}\"");
            request.Headers.TryAddWithoutValidation("Prefer", "wait=60");
        });
        await Task.Delay(200);
        held.IsCompleted.ShouldBeFalse();
        await world.Kube.MergePatchAsync<EdgeDevice>(
            new ObjectKey("default", id), new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["flotta/revoked"] = "true" } } }, default);
        await held.Empty(401);
        await client.GetAsync(id, "control").Empty(401);
        using var key = ECDsa.Create();
        await client.RegisterAsync(id, key).Empty(401);
        using var newcomer = world.AsNewcomer();
        await newcomer.RegisterAsync(id, key).Empty(404);
        client.Dispose();
    }

    [Fact]
    public async Task One_device_never_reaches_another()
    {
        var (_, mine) = await world.DeviceAsync();
        var (victim, _) = await world.DeviceAsync();
        await mine.GetAsync(victim, "data").Empty(403);
        await mine.GetAsync(victim, "control").Empty(403);
        await mine.PostAsync(victim, "control", "{}").Empty(403);
        await mine.BeatAsync(victim, []).Empty(403);
        await mine.SendAsync(victim, "ansible", null).Empty(403);
        await mine.SendAsync(victim, "whatever", null).Empty(403);
        await mine.EnrolAsync(victim).Empty(403);
        using var key = ECDsa.Create();
        await mine.RegisterAsync(victim, key).Empty(403);
        mine.Dispose();
    }

    [Fact]
    public async Task The_bootstrap_certificate_enrols_and_registers_and_nothing_else()
    {
        var (id, _) = await world.DeviceAsync();
        using var newcomer = world.AsNewcomer();
        await newcomer.GetAsync(id, "data").Empty(401);
        await newcomer.GetAsync(id, "control").Empty(401);
        await newcomer.PostAsync(id, "control", "null").Empty(401);
        await newcomer.BeatAsync(id, []).Empty(403);
        await newcomer.SendAsync(id, "ansible", null).Empty(403);
        await newcomer.GetAsync("register", "control").Empty(401);
        await newcomer.EnrolAsync("register").Empty(400);
        // Nor does it register a device that has registered.
        await world.Kube.CreateAsync(
            new EdgeDeviceSignedRequest { Metadata = new V1ObjectMeta { Name = id, NamespaceProperty = "default" }, Spec = new EdgeDeviceSignedRequestSpec { TargetNamespace = "default", Approved = true } }, default);
        using var key = ECDsa.Create();
        await newcomer.RegisterAsync(id, key).Empty(403);
    }

    [Fact]
    public async Task A_certificate_of_before_the_records_counts_once_the_device_has_registered()
    {
        var id = world.NewId();
        var (certificate, _) = world.CertificateFor(id);
        await world.Kube.CreateAsync(
            new EdgeDevice { Metadata = new V1ObjectMeta { Name = id, NamespaceProperty = "default", Labels = new Dictionary<string, string> { ["edgedeviceSignedRequest"] = "true" } } }, default);
        using var client = world.Client(certificate);
        await Eventually.True(async () => await client.GetAsync(id, "data").Status() == 401);
        await world.Kube.MergePatchAsync<EdgeDevice>(
            new ObjectKey("default", id), new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["edgedeviceSignedRequest"] = null } } }, default);
        await Eventually.True(async () => await client.GetAsync(id, "data").Status() == 200);
    }

    [Fact]
    public async Task A_leaf_that_no_authority_of_ours_signed_is_refused_whatever_lies_beside_it()
    {
        var (id, client) = await world.DeviceAsync();
        var (attacker, _) = world.CertificateFor(world.NewId());
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={id},OU=default,O=flotta-operator", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();

        // Signed by itself.
        using var selfSigned = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        using var impostor = world.Client(selfSigned, world.Authority.Ca);
        await RefusedEverywhere(impostor, id);

        // Signed with a device's key, and that device's certificate lies beside it.
        using var signer = attacker.GetECDsaPrivateKey()!;
        using var derived = request.Create(attacker.SubjectName, X509SignatureGenerator.CreateForECDsa(signer), now.AddHours(-1), now.AddHours(1), [1, 2, 3]).CopyWithPrivateKey(key);
        using var insider = world.Client(derived, attacker);
        await RefusedEverywhere(insider, id);
        client.Dispose();
    }

    [Fact]
    public async Task Without_a_certificate_there_is_no_connection()
    {
        using var nobody = world.Client(null);
        await Should.ThrowAsync<HttpRequestException>(() => nobody.GetAsync("any", "control"));
    }

    private static async Task RefusedEverywhere(EdgeClient client, string id)
    {
        await client.GetAsync(id, "data").Empty(401);
        await client.GetAsync(id, "control").Empty(401);
        await client.PostAsync(id, "control", "{}").Empty(401);
        await client.BeatAsync(id, []).Empty(401);
        await client.EnrolAsync(id).Empty(401);
        using var key = ECDsa.Create();
        await client.RegisterAsync(id, key).Empty(401);
    }

    private async Task CreateRecordedAsync(string id, string serial, DateTimeOffset? notAfter = null)
    {
        await world.Kube.CreateAsync(new EdgeDevice { Metadata = new V1ObjectMeta { Name = id, NamespaceProperty = "default" } }, default);
        await world.RecordAsync(id, new CertificateStatus { Serial = serial, Confirmed = true, NotAfter = notAfter });
    }
}
