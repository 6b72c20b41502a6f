using System.Text;
using CsCheck;
using Flotta.Agent.Enrolment;
using Flotta.Yggdrasil.Transport;

namespace Flotta.Tests.Agent;

public sealed class EnrolmentTests
{
    [Theory]
    [InlineData(208, EnrolmentState.Registering)]
    [InlineData(200, EnrolmentState.Waiting)]
    [InlineData(401, EnrolmentState.Enrolling)]
    [InlineData(403, EnrolmentState.Enrolling)]
    [InlineData(400, EnrolmentState.Enrolling)]
    [InlineData(500, EnrolmentState.Enrolling)]
    [InlineData(302, EnrolmentState.Enrolling)]
    [InlineData(0, EnrolmentState.Enrolling)]
    internal void What_an_enrolment_is_answered_decides_what_comes_next(int status, EnrolmentState next) =>
        EnrolmentStep.AfterEnrolment(Of(status)).Next.ShouldBe(next);

    [Theory]
    [InlineData(404, EnrolmentState.Waiting)]
    [InlineData(401, EnrolmentState.Enrolling)]
    [InlineData(403, EnrolmentState.Enrolling)]
    [InlineData(500, EnrolmentState.Registering)]
    [InlineData(400, EnrolmentState.Registering)]
    [InlineData(0, EnrolmentState.Registering)]
    internal void What_a_registration_is_answered_decides_what_comes_next(int status, EnrolmentState next) =>
        EnrolmentStep.AfterRegistration(Of(status)).Next.ShouldBe(next);

    [Fact]
    public void A_certificate_is_taken_from_the_answer_and_an_unreadable_answer_is_asked_again()
    {
        var good = new Answer { Status = 200, Body = Encoding.UTF8.GetBytes("""{"message_id":"1","directive":"registration","content":{"certificate":"PEM"}}""") };
        EnrolmentStep.AfterRegistration(good).ShouldBe(new EnrolmentStep(EnrolmentState.Registered, "PEM"));
        var bad = new Answer { Status = 200, Body = "<html>"u8.ToArray() };
        EnrolmentStep.AfterRegistration(bad).Next.ShouldBe(EnrolmentState.Registering);
    }

    [Fact]
    public void Every_step_that_an_answer_can_lead_to_is_a_legal_one()
    {
        for (var status = 0; status < 600; status++)
        {
            foreach (var from in new[] { EnrolmentState.Enrolling, EnrolmentState.Waiting })
                Legal(from, EnrolmentStep.AfterEnrolment(Of(status)).Next);
            Legal(EnrolmentState.Registering, EnrolmentStep.AfterRegistration(Of(status)).Next);
        }

        EnrolmentTransitions.IsLegal(EnrolmentState.Waiting, EnrolmentState.Registered).ShouldBeFalse();
        EnrolmentTransitions.IsLegal(EnrolmentState.Disconnected, EnrolmentState.Registered).ShouldBeFalse();

        static void Legal(EnrolmentState from, EnrolmentState to) => (from == to || EnrolmentTransitions.IsLegal(from, to)).ShouldBeTrue($"{from} to {to}");
    }

    [Fact]
    public void Renewal_is_due_around_two_thirds_of_the_life_of_a_certificate() => Gen.Select(Gen.Double[0, 1], Gen.Int[1, 4000]).Sample((draw, hours) =>
    {
        var from = TestAuthority.Now;
        var due = RenewalClock.Due(from, from.AddHours(hours), draw);
        ((due - from) / TimeSpan.FromHours(hours)).ShouldBeInRange(0.616, 0.717);
    });

    private static Answer Of(int status) => status == 0 ? Answer.None("no route") : new Answer { Status = status, Body = "{}"u8.ToArray() };
}
