using System.Text;
using Flotta.Yggdrasil.Grpc;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Yggdrasil.Grpc;

public sealed class GrpcTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-grpc-").FullName;

    public static TheoryData<bool> Kinds => [true, false];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_call_over_an_abstract_or_a_path_socket_is_answered(bool isAbstract)
    {
        var address = Address(isAbstract);
        await using var listener = await StartAsync(address, (message, peer, _) => Task.FromResult(Encoding.UTF8.GetBytes($"{Encoding.UTF8.GetString(message.Span)} {peer.Pid}")));
        using var channel = new GrpcChannel(address, TimeProvider.System);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => channel.CallAsync("/a.B/C", Encoding.UTF8.GetBytes($"{number}"), Patience, CancellationToken.None)));
        answers.Select(Encoding.UTF8.GetString).ShouldBe(Enumerable.Range(0, 20).Select(number => $"{number} {Environment.ProcessId}"), ignoreOrder: true);
        if (!isAbstract)
            File.GetUnixFileMode(address.Text).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task A_large_message_passes_and_a_larger_one_is_refused()
    {
        var address = Address(isAbstract: true);
        await using var listener = await StartAsync(address, (message, _, _) => Task.FromResult(message.ToArray()));
        using var channel = new GrpcChannel(address, TimeProvider.System);
        (await channel.CallAsync("/a.B/C", new byte[10 << 20], Patience, CancellationToken.None)).Length.ShouldBe(10 << 20);
        (await Should.ThrowAsync<GrpcException>(() => channel.CallAsync("/a.B/C", new byte[(16 << 20) + 1], Patience, CancellationToken.None))).Status.ShouldBeOneOf(GrpcStatus.ResourceExhausted, GrpcStatus.Unavailable, GrpcStatus.Unknown);
    }

    [Fact]
    public async Task What_is_refused_says_why()
    {
        var address = Address(isAbstract: true);
        await using var listener = await StartAsync(address, (_, _, _) => throw new GrpcException(GrpcStatus.InvalidArgument, "100 % wrong: ü"));
        using var channel = new GrpcChannel(address, TimeProvider.System);
        var refused = await Should.ThrowAsync<GrpcException>(() => channel.CallAsync("/a.B/C", [], Patience, CancellationToken.None));
        (refused.Status, refused.Message).ShouldBe((GrpcStatus.InvalidArgument, "100 % wrong: ü"));
        (await Should.ThrowAsync<GrpcException>(() => channel.CallAsync("/a.B/Other", [], Patience, CancellationToken.None))).Status.ShouldBe(GrpcStatus.Unimplemented);
        using var nobody = new GrpcChannel(Address(isAbstract: true), TimeProvider.System);
        (await Should.ThrowAsync<GrpcException>(() => nobody.CallAsync("/a.B/C", [], Patience, CancellationToken.None))).Status.ShouldBe(GrpcStatus.Unavailable);
    }

    [Fact]
    public async Task A_call_that_hangs_ends_at_its_deadline()
    {
        var address = Address(isAbstract: true);
        await using var listener = await StartAsync(address, async (_, _, cancellationToken) =>
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return [];
        });
        using var channel = new GrpcChannel(address, TimeProvider.System);
        (await Should.ThrowAsync<GrpcException>(() => channel.CallAsync("/a.B/C", [], TimeSpan.FromMilliseconds(200), CancellationToken.None))).Status.ShouldBe(GrpcStatus.DeadlineExceeded);
    }

    [Fact]
    public async Task A_socket_left_by_a_crash_is_in_nobodys_way()
    {
        var address = Address(isAbstract: false);
        File.WriteAllText(address.Text, "");
        await using var listener = await StartAsync(address, (_, _, _) => Task.FromResult(new byte[1]));
        using var channel = new GrpcChannel(address, TimeProvider.System);
        (await channel.CallAsync("/a.B/C", [], Patience, CancellationToken.None)).Length.ShouldBe(1);
    }

    [Theory]
    [InlineData("@name", "@name")]
    [InlineData("unix:@yggd-dispatcher-AbCdEf", "@yggd-dispatcher-AbCdEf")]
    [InlineData("unix-abstract:name", "@name")]
    [InlineData("unix:/run/y.sock", "/run/y.sock")]
    [InlineData("unix:///run/y.sock", "/run/y.sock")]
    [InlineData("/run/y.sock", "/run/y.sock")]
    [InlineData("", null)]
    [InlineData("@", null)]
    [InlineData("relative.sock", null)]
    [InlineData("127.0.0.1:80", null)]
    public void Addresses_are_read_as_Go_programs_write_them(string text, string? expected) => SocketAddress.Parse(text)?.Text.ShouldBe(expected);

    [Fact]
    public void A_worker_listens_beside_the_daemon()
    {
        SocketAddress.Parse("@d")!.Beside("ygg-device-").Text.ShouldMatch("^@ygg-device-[a-zA-Z]{6}$");
        SocketAddress.Parse("/run/flotta/d.sock")!.Beside("ygg-device-").Text.ShouldMatch("^/run/flotta/ygg-device-[a-zA-Z]{6}$");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private SocketAddress Address(bool isAbstract) => SocketAddress.Random(isAbstract ? "@flotta-test-" : Path.Combine(_folder, "s-"));

    private static Task<GrpcListener> StartAsync(SocketAddress address, GrpcHandler handler) =>
        GrpcListener.StartAsync(address, new Dictionary<string, GrpcHandler>(StringComparer.Ordinal) { ["/a.B/C"] = handler }, NullLogger.Instance, CancellationToken.None);
}
