using CsCheck;
using Flotta.Yggdrasil.Transport;

namespace Flotta.Tests.Yggdrasil;

public sealed class BackOffTests
{
    [Fact]
    public void Pauses_double_up_to_the_most_and_never_shrink_below_half() => Gen.Int[0, 60].Sample(failures =>
    {
        var backOff = new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        for (var i = 0; i < failures; i++)
            backOff.Next();
        var whole = Math.Min(Math.Pow(2, failures), 60);
        backOff.Next().TotalSeconds.ShouldBeInRange(whole / 2, whole);
    });

    [Fact]
    public void After_a_success_it_starts_small_again()
    {
        var backOff = new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        for (var i = 0; i < 10; i++)
            backOff.Next();
        backOff.Reset();
        backOff.Next().ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData(30, 30, 33)]
    [InlineData(604_800, 3600, 3960)]
    [InlineData(-5, 0.5, 1)]
    public void What_the_server_asks_for_is_honoured_within_reason(int asked, double least, double most) =>
        new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)).Next(TimeSpan.FromSeconds(asked)).TotalSeconds.ShouldBeInRange(least, most);
}
