using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Flotta.EdgeApi;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.Tests.EdgeApi;

/// <summary>Devices that wait to be let in with one request, instead of asking again and again. A world of its own: some tests restart the server.</summary>
public sealed class HeldEnrolmentTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    [Fact]
    public async Task Who_waits_hears_at_once_that_it_has_been_let_in()
    {
        var id = world.NewId();
        using var newcomer = world.AsNewcomer();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var held = HoldAsync(newcomer, id, 60, key);
        // The request is there while the device waits, and for the key that it offered.
        await Eventually.True(async () => (await world.Kube.GetAsync<EdgeDeviceSignedRequest>(new("default", id), default))?.Spec.KeyFingerprint is { Length: > 0 });
        await Task.Delay(300);
        held.IsCompleted.ShouldBeFalse();
        var watch = Stopwatch.StartNew();
        await LetInAsync(id);
        using var answer = await held;
        ((int)answer.StatusCode).ShouldBe(208);
        answer.Headers.GetValues("Preference-Applied").ShouldBe(["wait=60"]);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(30)); // it would have been 54 without the news
        await newcomer.RegisterAsync(id, key).Json();
    }

    [Fact]
    public async Task Who_waits_in_vain_is_told_so_a_little_early_and_who_does_not_ask_to_wait_at_once()
    {
        var id = world.NewId();
        using var newcomer = world.AsNewcomer();
        var watch = Stopwatch.StartNew();
        using var late = await HoldAsync(newcomer, id, 2);
        ((int)late.StatusCode).ShouldBe(200);
        watch.Elapsed.TotalSeconds.ShouldBeGreaterThan(1.7);
        using var plain = await newcomer.EnrolAsync(id);
        ((int)plain.StatusCode).ShouldBe(200);
        plain.Headers.Contains("Preference-Applied").ShouldBeFalse();
    }

    [Fact]
    public async Task The_second_request_of_a_device_takes_the_place_of_the_first()
    {
        var id = world.NewId();
        using var newcomer = world.AsNewcomer();
        var first = HoldAsync(newcomer, id, 60);
        await Eventually.True(async () => await world.Kube.GetAsync<EdgeDeviceSignedRequest>(new("default", id), default) != null);
        await Task.Delay(200);
        var second = HoldAsync(newcomer, id, 60);
        using var answer = await first.WaitAsync(TimeSpan.FromSeconds(30));
        ((int)answer.StatusCode).ShouldBe(200);
        second.IsCompleted.ShouldBeFalse();
        await LetInAsync(id);
        using var later = await second;
        ((int)later.StatusCode).ShouldBe(208);
    }

    [Fact]
    public async Task When_all_places_are_taken_the_next_one_is_answered_at_once()
    {
        await world.StartAsync(new EdgeApiOptions { MaxHeldEnrolments = 2 });
        using var newcomer = world.AsNewcomer();
        string[] ids = [world.NewId(), world.NewId()];
        var held = ids.Select(id => HoldAsync(newcomer, id, 60)).ToList();
        foreach (var id in ids)
            await Eventually.True(async () => await world.Kube.GetAsync<EdgeDeviceSignedRequest>(new("default", id), default) != null);
        using var answer = await HoldAsync(newcomer, world.NewId(), 60).WaitAsync(TimeSpan.FromSeconds(30));
        ((int)answer.StatusCode).ShouldBe(200);
        answer.Headers.Contains("Preference-Applied").ShouldBeFalse();
        held.ShouldAllBe(one => !one.IsCompleted);

        // Whoever goes leaves its place, and a server that stops keeps nobody.
        using (var leaving = world.AsNewcomer())
        {
            await LetInAsync(ids[0]);
            using var first = await held[0];
            ((int)first.StatusCode).ShouldBe(208);
            var third = HoldAsync(leaving, world.NewId(), 60);
            await Task.Delay(300);
            third.IsCompleted.ShouldBeFalse();
            await world.StartAsync(new EdgeApiOptions());
            using var told = await third;
            ((int)told.StatusCode).ShouldBe(200);
        }

        using var last = await held[1];
        ((int)last.StatusCode).ShouldBe(200);
    }

    private static Task<HttpResponseMessage> HoldAsync(EdgeClient client, string id, int seconds, ECDsa? key = null) => client.EnrolAsync(
        id, new JsonObject { ["features"] = new JsonObject(), ["certificate_request"] = key is null ? null : EdgeClient.Csr(key, id) }, $"wait={seconds}");

    private Task LetInAsync(string id) => world.Kube.CreateAsync(
        new EdgeDevice
        {
            Metadata = new V1ObjectMeta { Name = id, NamespaceProperty = "default", Labels = new Dictionary<string, string> { ["edgedeviceSignedRequest"] = "true" } },
        },
        default);
}
