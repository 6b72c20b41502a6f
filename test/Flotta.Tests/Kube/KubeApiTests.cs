using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Kube;

public sealed class KubeApiTests
{
    private static readonly ObjectKey Key = new("ns", "till-07");

    [Theory]
    [InlineData("get")]
    [InlineData("apply")]
    [InlineData("delete")]
    public async Task A_server_that_does_not_answer_is_given_up_and_named(string verb)
    {
        var time = new FakeTimeProvider();
        var silent = new ScriptedApi();
        using var api = silent.Connect(time);
        Task request = verb switch
        {
            "get" => api.GetAsync<EdgeDevice>(Key, CancellationToken.None),
            "apply" => api.ApplyAsync<V1CustomResourceDefinition>(Key, "kind: x", "test", CancellationToken.None),
            _ => api.DeleteAsync<EdgeDevice>(Key, CancellationToken.None),
        };
        await Eventually.True(() => !silent.Requests.IsEmpty);
        time.Advance(api.RequestTimeout - TimeSpan.FromSeconds(1));
        request.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(1));
        (await Should.ThrowAsync<TimeoutException>(request)).Message.ShouldContain("within 30 s");
    }

    /// <summary>Taken for an end that somebody asked for, a program would end well without having done anything.</summary>
    [Fact]
    public async Task A_connection_that_does_not_come_about_in_time_is_a_failure()
    {
        using var api = new ScriptedApi().ThenConnectInVain().Connect(TimeProvider.System);
        (await Should.ThrowAsync<TimeoutException>(api.GetAsync<EdgeDevice>(Key, CancellationToken.None))).Message.ShouldContain("http://api.invalid/ could not be reached in time");
    }

    [Fact]
    public async Task Who_asks_and_gives_up_is_told_of_no_server()
    {
        var silent = new ScriptedApi();
        using var api = silent.Connect(new FakeTimeProvider());
        using var patience = new CancellationTokenSource();
        var request = api.DeleteAsync<EdgeDevice>(Key, patience.Token);
        await patience.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(request);
    }

    [Fact]
    public async Task Who_gives_up_while_an_answer_is_read_is_told_of_no_broken_connection()
    {
        var server = new ScriptedApi();
        var answer = server.ThenWatch();
        using var api = server.Connect(new FakeTimeProvider());
        using var patience = new CancellationTokenSource();
        using var cut = patience.Token.Register(answer.Break);
        var request = api.GetAsync<EdgeDevice>(Key, patience.Token);
        await Eventually.True(() => !server.Requests.IsEmpty);
        await patience.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(request);
    }

    [Fact]
    public async Task A_connection_that_breaks_by_itself_is_told_of()
    {
        var server = new ScriptedApi();
        var answer = server.ThenWatch();
        using var api = server.Connect(new FakeTimeProvider());
        var request = api.GetAsync<EdgeDevice>(Key, CancellationToken.None);
        await Eventually.True(() => !server.Requests.IsEmpty);
        answer.Break();
        await Should.ThrowAsync<HttpRequestException>(request);
    }
}
